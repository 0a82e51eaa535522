import type { Output, Split, Verdict } from '../../../call/decide.ts'
import type { PreparedNode } from '../../../protocol/native.ts'
import { readOutputs } from '../../../protocol/outputs.ts'
import { cutBody } from '../look/messages.ts'
import type { Tried } from './node.ts'
import type { Trial } from './try.ts'

const outputsShown = 20

/** What was sent, what came back, and what a bridge would make of it. Bodies are cut to `bytes`. */
export function showTrial({ of, revision, prepared }: Tried, trial: Trial, bytes: number) {
  const { request, called, message } = trial
  const { result, instance, durationMs } = called
  const reply = result.kind === 'reply' ? result : null
  return {
    id: message.id,
    of,
    revision,
    instance,
    request: {
      method: 'POST' as const,
      path: request.path,
      headers: redacted(pairsOf(request.headers)),
      ...shownBytes(message.contentType, message.body, bytes),
    },
    result: result.kind === 'held' || result.kind === 'put-off' ? ('refused' as const) : result.kind,
    reply: reply && {
      status: reply.status,
      headers: redacted(Object.entries(reply.headers)),
      ...shownBytes(reply.headers['content-type'] ?? '', reply.body, bytes),
    },
    durationMs: Math.round(durationMs * 10) / 10,
    verdict: showVerdict(trial.verdict, prepared, bytes),
  }
}

function pairsOf(flat: readonly string[]): [string, string][] {
  return flat.flatMap((name, n): [string, string][] => (n % 2 === 0 ? [[name, flat[n + 1] ?? '']] : []))
}

/** Names of headers whose values are nobody's business, whoever sends them. */
const secretName = /authorization|cookie|secret|token|password|api-?key|webhook-signature/i

function redacted(headers: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(headers.map(([name, value]) => [name, secretName.test(name) ? '(redacted)' : value]))
}

function shownBytes(contentType: string, body: Uint8Array, bytes: number) {
  const shown = cutBody(contentType, body, bytes)
  return { contentType, size: body.length, truncated: body.length > bytes, ...shown }
}

const nothing = {
  outputs: [] as ReturnType<typeof shownOutput>[],
  outputsTotal: 0,
  messages: 0,
  next: null as string | null,
  watermark: null as string | null,
  progress: null as string | null,
  delayMs: null as number | null,
  problem: null as { type: string; title: string; status?: number; detail?: string } | null,
}

function showVerdict(verdict: Verdict, { followers }: PreparedNode, bytes: number) {
  const names = new Map([...followers].map(([name, id]) => [id, name]))
  switch (verdict.kind) {
    case 'forward': {
      const to = names.get(verdict.follower) ?? verdict.follower
      const outputs = [shownOutput([to], verdict.output, bytes)]
      return { ...nothing, kind: 'forward' as const, text: `goes to ${to}`, outputs, outputsTotal: 1, messages: 1 }
    }
    case 'split':
      return showSplit(verdict, names, bytes)
    case 'end':
      return {
        ...nothing,
        kind: 'end' as const,
        text: 'ends well: nothing is forwarded',
        watermark: verdict.watermark,
        progress: verdict.progress,
      }
    case 'later':
      return { ...nothing, kind: 'retry' as const, text: later(verdict.delayMs), ...failed(verdict) }
    case 'turn':
      return { ...nothing, kind: 'wait' as const, text: waits(verdict.delayMs), delayMs: verdict.delayMs }
    case 'hold':
      return verdict.burns
        ? { ...nothing, kind: 'retry' as const, text: later(verdict.delayMs), ...failed(verdict) }
        : { ...nothing, kind: 'wait' as const, text: waits(verdict.delayMs), ...failed(verdict) }
    case 'pause':
      return { ...nothing, kind: 'pause' as const, text: verdict.reason, ...failed({ ...verdict, delayMs: null }) }
    case 'trash':
      return {
        ...nothing,
        kind: 'trash' as const,
        text: `goes to Trash${verdict.block ? ', and the node pauses' : ''}`,
        problem: verdict.problem,
      }
    default:
      return verdict satisfies never
  }
}

const later = (delayMs: number): string => `failed, and is tried again after ${delayMs} ms: one attempt is burnt`
const waits = (delayMs: number): string => `waits ${delayMs} ms, and is called again: no attempt is burnt`

function failed({
  failure,
  delayMs,
}: {
  readonly failure: { readonly problem: object }
  readonly delayMs: number | null
}) {
  return { delayMs, problem: failure.problem as NonNullable<(typeof nothing)['problem']> }
}

function showSplit(verdict: Split, names: ReadonlyMap<string, string>, bytes: number) {
  const { output, emit, route, messages, next, watermark, progress } = verdict
  const read = readOutputs(output.body, output.contentType, emit)
  const usual = [...names].filter(([id]) => route === null || route.includes(id)).map(([, name]) => name)
  const outputs: ReturnType<typeof shownOutput>[] = []
  if (read.kind === 'outputs')
    for (const one of read) {
      if (outputs.length >= outputsShown) break
      const own = {
        key: one.key ?? output.key,
        tenant: one.tenant ?? output.tenant,
        limitKey: one.limitKey ?? output.limitKey,
      }
      outputs.push(
        shownOutput(one.route ?? usual, { ...output, ...own, contentType: one.contentType, body: one.body }, bytes),
      )
    }
  const more = next === null ? '' : ', and the next page is asked for'
  const outputsTotal = read.kind === 'outputs' ? read.count : 0
  const text = `becomes ${messages} messages of ${outputsTotal} outputs${more}`
  return { ...nothing, kind: 'split' as const, text, outputs, outputsTotal, messages, next, watermark, progress }
}

function shownOutput(followers: readonly string[], output: Output, bytes: number) {
  const { contentType, body, headers, key, tenant } = output
  return { followers: [...followers], key, tenant, headers: { ...headers }, ...shownBytes(contentType, body, bytes) }
}
