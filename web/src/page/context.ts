import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Comparison } from "../data/compare";
import type { Run } from "../data/run";
import type { Source } from "../data/source";

export interface Page {
  run: Run;
  source: Source;
  comparison: Comparison | null;
  /** Reads a file that was dropped or chosen, and compares with it. */
  compareWith(file: File): void;
  forget(): void;
  trouble: string | null;
  say(message: string): void;
}

export const PageContext = createContext<Page | null>(null);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (!page) throw new Error("a view outside the page");
  return page;
}
