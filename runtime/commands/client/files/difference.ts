/** Differences for people: one line each, in colour on a terminal that has it. */
import type { Change, Difference } from '../../../topology/files/difference.ts'
import { plain } from '../../terminal/print.ts'

type Sign = '+' | '-' | '~'
const colours: Readonly<Record<Sign, number>> = { '+': 32, '-': 31, '~': 33 }

/** Without a line when there is nothing different. */
export function linesOf({ values, nodes, edges, reordered }: Difference): string[] {
  return [
    ...values.map((value) => signed(signOf(value), textOf(value))),
    ...nodes.flatMap(nodeLines),
    ...edges.map(({ from, to, change }) => signed(signs[change], `edge ${from} → ${to}`)),
    ...reordered.map((what) => signed('~', `the ${what} stand in another order`)),
  ]
}

/** All of a node that comes or goes in one line. */
function nodeLines({ name, change, values }: Difference['nodes'][number]): string[] {
  if (change !== 'changed') return [signed(signs[change], `node ${name} (${values.map(textOf).join(', ')})`)]
  return [signed('~', `node ${name}`), ...values.map((value) => signed(signOf(value), `  ${textOf(value)}`))]
}

const signs = { added: '+', removed: '-', changed: '~' } as const

function signOf(change: Change): Sign {
  if (!('before' in change)) return '+'
  return 'after' in change ? '~' : '-'
}

function textOf({ path, ...sides }: Change): string {
  const [before, after] = ['before', 'after'].map((side) =>
    side in sides ? valueOf(sides[side as keyof typeof sides]) : null,
  )
  return `${plain(path)}: ${[before, after].filter((text) => text !== null).join(' → ')}`
}

/** A text that reads as one word needs no quotes. */
function valueOf(value: unknown): string {
  return plain(typeof value === 'string' && /^[\w./:-]+$/.test(value) ? value : JSON.stringify(value))
}

function signed(sign: Sign, text: string): string {
  const line = `  ${sign} ${text}`
  return process.stdout.isTTY && process.stdout.hasColors() ? `\x1b[${colours[sign]}m${line}\x1b[0m` : line
}
