/** Tells how far a long work is: a line that is kept up to date on a terminal, else a line for each change. */
export interface Progress {
  show(line: string): void
  /** The last line stays. */
  end(line: string): void
}

const columnsDefault = 80

export function openProgress(stream: NodeJS.WriteStream = process.stdout): Progress {
  return stream.isTTY ? openLine(stream) : openLines(stream)
}

function openLine(stream: NodeJS.WriteStream): Progress {
  const draw = (line: string, end: string) =>
    stream.write(`\r\x1b[2K${line.slice(0, (stream.columns || columnsDefault) - 1)}${end}`)
  return { show: (line) => void draw(line, ''), end: (line) => void draw(line, '\n') }
}

function openLines(stream: NodeJS.WriteStream): Progress {
  let printed = ''
  const show = (line: string) => {
    if (line !== printed) stream.write(`${line}\n`)
    printed = line
  }
  return { show, end: show }
}
