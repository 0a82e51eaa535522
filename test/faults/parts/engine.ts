import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startGuard } from '../../../runtime/embedded/guard.ts'
import { freePort } from '../../../runtime/embedded/process.ts'
import { openApi } from '../api.ts'
import type { Api } from '../api.ts'
import { openAuditor } from '../audit.ts'
import type { Auditor } from '../audit.ts'
import { openDoer } from '../deeds/doer.ts'
import type { Doer } from '../deeds/doer.ts'
import { intakeOf } from '../intake.ts'
import type { Intake } from '../intake.ts'
import { lastLines } from '../settled.ts'
import { openScript } from './process.ts'
import type { Armable, Part, Watched } from './process.ts'
import { startNats, startPostgres } from './services.ts'

export interface EngineOptions {
  readonly seed: number
  /** NATS servers: 1, or 3 with three copies of everything. */
  readonly servers: 1 | 3
  readonly bridges: number
  /** The janitor's window: longer than a control is stopped, since the intake relies on it. */
  readonly historyMs: number
  /** How much the worker misbehaves: 1 is usual. */
  readonly mischief: number
  /** Gets one line for every fault, and for what a person should know. */
  readonly say: (line: string) => void
}

/** A whole engine, and who looks at it and uses it. */
export interface Parts {
  readonly bridges: readonly Armable[]
  readonly controls: readonly Armable[]
  readonly worker: Armable
  readonly postgres: Part
  readonly nats: readonly Part[]
  readonly postgresUrl: string
  /** The worker's record. */
  readonly calls: string
  readonly auditor: Auditor
  readonly intake: Intake
  readonly doer: Doer
  readonly api: Api
  /** Folder of the parts' output. */
  readonly logs: string
}

/** So little that pages are held back, and that streams are swept. */
const [highWater, historyMaxBytes] = [40, 200_000]
const secretKey = 'a key for the faults'
const adminToken = 'an-administrator-of-faults'

/** @param closers gets what has to be called, in reverse order, whatever becomes of this */
export async function startParts(options: EngineOptions, folder: string, closers: (() => unknown)[]): Promise<Parts> {
  // As root, Postgres runs as another user, who has to get in.
  chmodSync(folder, 0o711)
  const watched = watchedIn(folder, options.say, closers)
  const own = <P extends Part>(part: P): P => {
    closers.push(() => part.close())
    return part
  }
  const services = await startServices(options, folder, watched, own)
  const { queues, controls, controlUrls, worker, workerUrl, calls } = services
  const api = openApi(controlUrls, adminToken)
  const intake = await intakeOf(api, workerUrl)
  const auditor = await openAuditor(queues.url, intake.topologyId)
  closers.push(() => auditor.close())
  const bridges = Array.from({ length: options.bridges }, (_, index) =>
    own(openScript(`bridge-${index + 1}`, 'bridge', { ...queues, highWater }, watched)),
  )
  await Promise.all(bridges.map((part) => part.works()))
  const { postgres, postgresUrl, nats } = services
  const doer = openDoer({ api, names: intake.names, unfinished: () => auditor.unfinished() })
  const { logs } = watched
  return { bridges, controls, worker, postgres, nats, postgresUrl, calls, auditor, intake, doer, api, logs }
}

/** Everything but the bridges, which have nothing to do before something is published. */
async function startServices(
  { seed, servers, historyMs, mischief, say }: EngineOptions,
  folder: string,
  watched: Watched,
  own: <P extends Part>(part: P) => P,
) {
  const [nats, postgres] = await Promise.all([startNats(folder, servers, watched), startPostgres(folder, say)])
  for (const part of [...nats.parts, postgres.part]) own(part)
  const queues = { url: nats.url, namespace: 'faults', replicas: servers, secretKey }
  const control = { ...queues, postgresUrl: postgres.url, adminToken, historyMs, historyMaxBytes }
  const ports = [await freePort(), await freePort()]
  const controls = ports.map((port, index) =>
    own(openScript(`control-${index + 1}`, 'control', { ...control, port }, watched)),
  )
  const recorder = { port: await freePort(), file: join(folder, 'calls.jsonl'), seed, mischief }
  const worker = own(openScript('worker', 'worker', recorder, watched))
  await Promise.all([...controls, worker].map((part) => part.works()))
  return {
    queues,
    controls,
    controlUrls: ports.map((port) => `http://127.0.0.1:${port}`),
    worker,
    workerUrl: `http://127.0.0.1:${recorder.port}`,
    calls: recorder.file,
    postgres: postgres.part,
    postgresUrl: postgres.url,
    nats: nats.parts,
  }
}

function watchedIn(folder: string, say: (line: string) => void, closers: (() => unknown)[]): Watched {
  const logs = join(folder, 'logs')
  mkdirSync(logs)
  const guard = startGuard(folder, say)
  closers.push(() => guard.close())
  const onUnexpectedEnd = (name: string, how: string): void =>
    say(`${name} ended by itself (${how}), starting it again: ${lastLines(logs, `${name}.log`, 6).join(' ')}`)
  return { guard, logs, onUnexpectedEnd }
}
