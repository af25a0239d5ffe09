import type { Wire, WireDetail, WireLogs } from "./wire";

/**
 * Where views get their data: the report has all of it inside the page, a live dashboard asks its server.
 * Views know nothing else. `subscribe` is for sources whose run still changes.
 */
export interface Source {
  run(): Promise<Wire>;
  detail(test: number): Promise<WireDetail | null>;
  /** What the services around each attempt of a test printed. */
  logs(test: number): Promise<WireLogs | null>;
  /** How the log of a service ends, if it failed. */
  ending(service: string): Promise<string | null>;
  /** An address for an `img`, if the picture travels with the report. */
  picture(path: string, type: string): string | null;
  /** The address of a file that the run left behind. */
  link(path: string): string;
  subscribe?(changed: () => void): () => void;
}
