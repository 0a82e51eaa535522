/** What holds for a node where its document says nothing: what its worker says, then the engine. Pure. */
import type { TopologyDocumentNode, Worker } from '../../../api/engine.ts'
import { manifestOf } from '../checking/settings.ts'
import type { Defaults } from '../state/kept.ts'
import { isObject } from '../../../parts/body/json.ts'

const ofEngine: Defaults = { prefetch: 1, timeoutMs: 30_000, inPlaceMaxMs: 120_000, onFail: 'skip' }

export function defaultsOf(workers: readonly Worker[], values: TopologyDocumentNode): Defaults {
  const said = manifestOf(workers, values)?.defaults
  const manifest = isObject(said) ? said : {}
  const timeoutMs = workers.find(({ name }) => name === values.worker)?.timeoutMs ?? ofEngine.timeoutMs
  return {
    // A worker's own default of prefetch is meant for a node without lanes.
    prefetch: (values.partitions ?? 1) > 1 ? 1 : within(manifest['prefetch'], 1, 20, ofEngine.prefetch),
    timeoutMs: within(manifest['timeoutMs'], 100, 86_400_000, timeoutMs),
    inPlaceMaxMs: within(manifest['inPlaceMaxMs'], 1_000, 86_400_000, ofEngine.inPlaceMaxMs),
    onFail: manifest['onFail'] === 'block' ? 'block' : ofEngine.onFail,
  }
}

/** The engine ignores a default that can't be used, too. */
function within(value: unknown, least: number, most: number, otherwise: number): number {
  const isUsable = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
  return isUsable ? value : otherwise
}
