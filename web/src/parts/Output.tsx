import { useMemo, useState } from "preact/hooks";
import type { Piece } from "../page/ansi";
import { ansiLines } from "../page/ansi";
import { count } from "../words";

const SHOWN = 400;
const LONGEST_LINE = 4000;

function Line({ pieces }: { pieces: Piece[] }) {
  let room = LONGEST_LINE;
  return (
    <span class="line">
      {pieces.map((piece, at) => {
        if (room <= 0) return null;
        const text = piece.text.slice(0, room);
        const cut = piece.text.length - text.length;
        room -= text.length;
        return <span key={at} class={piece.style}>{text}{cut > 0 ? <em class="cut"> … {count(cut, "character")} more</em> : null}</span>;
      })}
      {"\n"}
    </span>
  );
}

/** What a program printed; of very much the end first, because that is where it went wrong. */
export function Output({ text, label }: { text: string; label: string }) {
  const lines = useMemo(() => ansiLines(text.replace(/\n$/, "")), [text]);
  const [whole, setWhole] = useState(false);
  const hidden = whole ? 0 : Math.max(0, lines.length - SHOWN);
  return (
    <div class="output">
      {hidden > 0 ? (
        <button type="button" class="more" onClick={() => setWhole(true)}>Show {count(hidden, "earlier line")}</button>
      ) : null}
      <pre tabIndex={0} role="region" aria-label={label}>
        {lines.slice(hidden).map((pieces, at) => <Line key={at} pieces={pieces} />)}
      </pre>
    </div>
  );
}
