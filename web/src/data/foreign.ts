/** What is not what it should be in a file that others wrote, and where. */
export class Odd extends Error {}

const TEXT = "a text", NUMBER = "a number", LIST = "a list", MAPPING = "a mapping";
const LONGEST_SECONDS = 1e10;

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return "true or false";
  if (typeof value === "string") return TEXT;
  if (typeof value === "number") return NUMBER;
  return Array.isArray(value) ? LIST : MAPPING;
}

/**
 * A value, and its place in the file. Whoever asks it for a kind of value gets one, or an Odd is thrown.
 * `e2e_orchestrator/history/foreign.py` says the same in the same words.
 */
export class Told {
  constructor(readonly value: unknown, readonly where = "") {}

  part(key: string): Told {
    if (kindOf(this.value) !== MAPPING || this.value === undefined) throw this.odd(MAPPING);
    const found = Object.hasOwn(this.value as object, key) ? (this.value as Record<string, unknown>)[key] : undefined;
    return new Told(found, this.where ? `${this.where}.${key}` : key);
  }

  each(): Told[] {
    if (!Array.isArray(this.value)) throw this.odd(LIST);
    return this.value.map((one, at) => new Told(one, `${this.where}[${at}]`));
  }

  text(): string {
    if (typeof this.value !== "string") throw this.odd(TEXT);
    return this.value;
  }

  /** Empty for null, and where there is none. */
  textOrNothing(): string {
    return this.value === null || this.value === undefined ? "" : this.text();
  }

  /** One of these. */
  word(words: readonly string[]): string {
    if (typeof this.value !== "string" || !words.includes(this.value)) throw this.odd(`one of ${words.join(", ")}`, TEXT);
    return this.value;
  }

  /** A whole number from 0 on. */
  whole(most: number): number {
    const value = this.value;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > most) throw this.odd(`a whole number from 0 to ${most}`, NUMBER);
    return value;
  }

  wholeOrNull(most: number): number | null {
    return this.value === null ? null : this.whole(most);
  }

  /** Null stands for what nobody could measure. */
  seconds(): number | null {
    const value = this.value;
    if (value === null) return null;
    if (typeof value !== "number" || !(value >= 0 && value <= LONGEST_SECONDS)) throw this.odd("a number of seconds", NUMBER);
    return value;
  }

  private odd(expected: string, kind = expected): Odd {
    const where = this.where || "it";
    if (this.value === undefined) return new Odd(`${where} is missing`);
    const found = kindOf(this.value);
    return new Odd(`${where} must be ${expected}${found === kind ? "" : `, but is ${found}`}`);
  }
}
