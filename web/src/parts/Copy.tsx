import { useState } from "preact/hooks";

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not allowed from a file in some browsers: the old way asks nobody.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "offscreen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function Copy({ text, children }: { text: () => string; children: string }) {
  const [said, setSaid] = useState("");
  const press = async (): Promise<void> => {
    setSaid((await copy(text())) ? "Copied" : "Could not copy");
    setTimeout(() => setSaid(""), 1600);
  };
  return (
    <button type="button" class="button" onClick={press}>
      <span aria-live="polite">{said || children}</span>
    </button>
  );
}
