import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { defineConfig } from "vite";

const hash = (text) => `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;

/** One file without references: script and style stand in the page, and the policy allows exactly these two. */
function oneFile() {
  return {
    name: "one-file",
    enforce: "post",
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((one) => one.type === "chunk");
      const styles = Object.values(bundle).filter((one) => one.fileName.endsWith(".css"));
      const page = Object.values(bundle).find((one) => one.fileName === "index.html");
      if (chunks.length !== 1 || styles.length !== 1) throw new Error("the report needs one script and one style");
      const script = chunks[0].code.trim().replaceAll("</script", "<\\/script");
      const style = String(styles[0].source).trim();
      const policy = [
        "default-src 'none'",
        `script-src ${hash(script)}`,
        `style-src ${hash(style)}`,
        "img-src data: blob:",
        "base-uri 'none'",
        "form-action 'none'",
      ].join("; ");
      const html = String(page.source)
        .replace(/\s*<script[^>]*src=[^>]*><\/script>/, "")
        .replace(/\s*<link[^>]*stylesheet[^>]*>/, "")
        .replace("<!--POLICY-->", () => `<meta http-equiv="Content-Security-Policy" content="${policy}">`)
        .replace("<!--STYLE-->", () => `<style>${style}</style>`)
        .replace("<!--SCRIPT-->", () => `<script type="module">${script}</script>`);
      for (const name of Object.keys(bundle)) delete bundle[name];
      this.emitFile({ type: "asset", fileName: "app.html", source: html });
      const licence = readFileSync(new URL("node_modules/preact/LICENSE", import.meta.url), "utf8");
      this.emitFile({ type: "asset", fileName: "LICENSE-preact.txt", source: licence });
    },
  };
}

export default defineConfig({
  build: {
    target: "es2022",
    outDir: "../e2e_orchestrator/reporters/html_app",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  plugins: [oneFile()],
});
