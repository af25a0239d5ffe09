import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

const SPARE = 8;

interface Props {
  count: number;
  height: number;
  label: string;
  /** The row that must be in view. */
  selected?: number;
  class?: string;
  children: (at: number) => ComponentChildren;
}

/** Rows of one height, of which only those in view exist. */
export function VirtualList({ count, height, label, selected, class: name = "", children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [room, setRoom] = useState(600);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = (): void => setRoom(element.clientHeight);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const element = box.current;
    if (!element || selected === undefined || selected < 0) return;
    const from = selected * height;
    if (from < element.scrollTop) element.scrollTop = from;
    else if (from + height > element.scrollTop + element.clientHeight) element.scrollTop = from + height - element.clientHeight;
  }, [selected, height]);
  const first = Math.max(0, Math.floor(top / height) - SPARE);
  const last = Math.min(count, Math.ceil((top + room) / height) + SPARE);
  const rows = [];
  for (let at = first; at < last; at++) rows.push(children(at));
  return (
    <div class={`virtual ${name}`} ref={box} role="list" aria-label={label} tabIndex={0}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
      <div style={{ height: `${count * height}px`, position: "relative" }} role="presentation">
        <div style={{ transform: `translateY(${first * height}px)` }} role="presentation">{rows}</div>
      </div>
    </div>
  );
}
