import { render } from "preact";
import { App } from "./App";
import { embedded } from "./data/embedded";
import { runOf } from "./data/run";
import { WIRE } from "./data/wire";
import { showPlainText } from "./page/plain";
import "./style/index.css";

showPlainText();

async function start(): Promise<void> {
  const root = document.getElementById("app");
  if (!root) return;
  const source = embedded(document);
  try {
    const wire = await source.run();
    if (wire.wire !== WIRE) throw new Error(`its data is of version ${wire.wire}, and this page reads ${WIRE}`);
    const run = runOf(wire);
    root.replaceChildren();
    render(<App run={run} source={source} />, root);
    document.documentElement.dataset.ready = "true";
  } catch (error) {
    root.textContent = `This report cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
    throw error;
  }
}

void start();
