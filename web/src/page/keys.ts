import { useLayoutEffect } from "preact/hooks";

type Keys = Record<string, (event: KeyboardEvent) => void>;

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;

/** Keys of a view while it is shown; none of them while somebody types, or with Ctrl, Alt or Meta. */
export function useKeys(keys: Keys): void {
  useLayoutEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      const handle = keys[event.key];
      if (!handle) return;
      if (document.querySelector("dialog[open]") && event.key !== "?") return;
      event.preventDefault();
      handle(event);
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  });
}
