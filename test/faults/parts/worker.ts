/**
 * The recording worker, a process of its own: writes down every call before it answers, and what it answered, one JSON line each.
 * What is written survives its death. Settings come as JSON in the first argument.
 */
import { openSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerTo, mischiefOf } from '../model.ts'
import type { Answered, Asked, Mischief } from '../model.ts'
import type { WorkerSettings } from './process.ts'
import { openPoints } from './points.ts'

/** One line of the record. */
export interface CallRecord {
  readonly call: string
  readonly at: number
  readonly node: string
  readonly id: string
  readonly key: string
  readonly sequence: number
  readonly attempt: number
  /** What was about to be said: a status, or a way of saying nothing. */
  readonly answer: string
}

const { port, file, seed, mischief: amount } = JSON.parse(process.argv[2] ?? '{}') as WorkerSettings
const points = openPoints()
const record = openSync(file, 'a')
/** How often each key was called here. */
const times = new Map<string, number>()
let serial = 0

createServer((request, response) => void handle(request, response).catch(() => response.destroy()))
  .listen(port, '127.0.0.1')
  .once('listening', () => points.ready())

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const node = (request.url ?? '').split('/').at(-1) ?? ''
  if (request.method !== 'POST') return void response.writeHead(request.url === '/healthz' ? 200 : 404).end()
  const call = `${process.pid}.${serial++}`
  const asked = askedBy(node, request, Buffer.concat(chunks).toString())
  const nth = (times.get(asked.idempotencyKey) ?? 0) + 1
  times.set(asked.idempotencyKey, nth)
  const mischief = mischiefOf(seed, asked, nth, amount)
  const answer = answerTo(asked, call)
  write(request, asked, call, mischief, answer)
  points.reach('before-answer')
  if (mischief?.kind === 'late') await new Promise((resolve) => setTimeout(resolve, mischief.afterMs))
  reply(response, mischief, answer)
}

const headerOf = (request: IncomingMessage, name: string): string => {
  const value = request.headers[name]
  return typeof value === 'string' ? value : ''
}

function askedBy(node: string, request: IncomingMessage, body: string): Asked {
  return {
    node,
    idempotencyKey: headerOf(request, 'idempotency-key'),
    attempt: Number.parseInt(headerOf(request, 'sluice-attempt'), 10),
    cursor: headerOf(request, 'sluice-cursor') || undefined,
    body,
  }
}

function write(
  request: IncomingMessage,
  asked: Asked,
  call: string,
  mischief: Mischief | null,
  answer: Answered,
): void {
  const line: CallRecord = {
    call,
    at: Date.now(),
    node: asked.node,
    id: decodeURIComponent(headerOf(request, 'ce-id')),
    key: asked.idempotencyKey,
    sequence: Number(headerOf(request, 'sluice-sequence')),
    attempt: asked.attempt,
    answer: told(mischief, answer),
  }
  writeSync(record, `${JSON.stringify(line)}\n`)
}

function told(mischief: Mischief | null, { status }: Answered): string {
  if (mischief?.kind === 'status') return String(mischief.answer.status)
  return mischief === null || mischief.kind === 'late' ? String(status) : mischief.kind
}

function reply(response: ServerResponse, mischief: Mischief | null, { status, headers, body }: Answered): void {
  const { socket } = response
  switch (mischief?.kind) {
    case 'hang':
      return
    case 'hang-up':
      return void socket?.destroy()
    case 'garbage':
      return void socket?.end('HTTP/1.1 two hundred, fine\r\n\r\n<<<')
    case 'half':
      return void socket?.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"run":')
    case 'status':
      return void response.writeHead(mischief.answer.status, mischief.answer.headers).end(mischief.answer.body)
    default:
      response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
      if (body.length > 1 && points.isDue('mid-answer')) response.write(body.slice(0, 3), () => points.die())
      else response.end(body)
  }
}
