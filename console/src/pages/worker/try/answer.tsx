import { Stack, Text, Title } from '@mantine/core'
import type { Trial, TrialReply, TrialResult, TrialVerdict, TrialVerdictKind } from '../../../api/engine.ts'
import { bytes, counted, duration, progressText } from '../../../parts/show/format.ts'
import { Block } from '../../../parts/show/block.tsx'
import { Facts, Mono } from '../../../parts/show/facts.tsx'
import { Sign } from '../../../parts/show/sign.tsx'
import type { Tone } from '../../../parts/show/dot.tsx'

const tones: Readonly<Record<TrialVerdictKind, Tone>> = {
  forward: 'good',
  split: 'good',
  end: 'good',
  retry: 'warn',
  wait: 'warn',
  pause: 'bad',
  trash: 'bad',
}

const results: Readonly<Record<TrialResult, string>> = {
  reply: 'a reply',
  timeout: 'no reply in time',
  lost: 'the connection was lost',
  'bad-reply': 'what came is no HTTP reply',
  refused: 'no connection',
  'too-large': 'the reply is too large',
}

/** All of a trial: what was sent, what came, and what a bridge would do with it. */
export function Answer({ trial }: { readonly trial: Trial }) {
  const { verdict, reply, request, durationMs, instance, of, revision, result } = trial
  return (
    <Stack gap="sm" role="region" aria-label="What came of the call" aria-live="polite">
      <Title order={3}>
        <Sign tone={tones[verdict.kind]}>{verdict.text}</Sign>
      </Title>
      <Facts
        of={[
          ['Came', reply === null ? results[result] : `${results[result]} with status ${reply.status}`],
          ['Took', duration(durationMs)],
          ['Instance', instance === null ? 'none could be called' : <Mono>{instance}</Mono>],
          ['Form of the node', of === 'draft' ? 'the draft' : `revision ${revision ?? ''}`],
          ...ofVerdict(verdict),
        ]}
      />
      {verdict.problem !== null && <Block title="Problem" value={verdict.problem} />}
      {reply && (
        <>
          <BodyBlock title="Reply" part={reply} />
          <Block title="Headers of the reply" value={lines(reply.headers)} />
        </>
      )}
      <Outputs verdict={verdict} />
      <BodyBlock title="Request" part={request} />
      <Block title="Headers of the request" note={`POST ${request.path}`} value={lines(request.headers)} />
    </Stack>
  )
}

function ofVerdict({ messages, delayMs, next, watermark, progress }: TrialVerdict) {
  const fact = (name: string, value: string | null) => (value === null ? null : ([name, value] as const))
  return [
    fact('Would forward', messages === 0 ? null : counted(messages, 'message')),
    fact('Would wait', delayMs === null ? null : duration(delayMs)),
    fact('Next page', next),
    fact('Watermark', watermark),
    fact('Progress', progressText(progress)),
  ]
}

function Outputs({ verdict: { outputs, outputsTotal } }: { readonly verdict: TrialVerdict }) {
  return (
    <>
      {outputs.map((output, index) => (
        <BodyBlock
          // The order is all that tells them apart.
          key={index}
          title={`Output ${index + 1} of ${outputsTotal}, for ${output.followers.join(', ') || 'nobody'}`}
          part={output}
        />
      ))}
      {outputsTotal > outputs.length && <Text size="sm">The first {outputs.length} outputs are shown.</Text>}
    </>
  )
}

function BodyBlock({ title, part }: { readonly title: string; readonly part: Omit<TrialReply, 'status' | 'headers'> }) {
  const { contentType, size, truncated, body, bodyBase64 } = part
  const note = `${contentType || 'no type'}, ${bytes(size)}${truncated ? ', cut' : ''}${bodyBase64 === undefined ? '' : ', as base64'}`
  return <Block title={title} note={note} value={bodyBase64 ?? body ?? ''} />
}

function lines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
}
