import { openLimiter } from '../../limiter/limiter.ts'
import type { Limiter } from '../../limiter/limiter.ts'
import type { LimitLook } from '../../queue/limits/told.ts'
import type { Queues } from '../../queue/open.ts'
import type { Log } from '../../telemetry/log.ts'

/** The limiter of one bridge. It goes by the clock of the NATS server, which all bridges share. */
export async function openSharedLimiter(
  bridgeId: string,
  { limits }: Queues,
  log: Log,
  cut: AbortSignal,
): Promise<Limiter> {
  const clock = await limits.openClock()
  const limiter = openLimiter({
    bridgeId,
    cells: limits.cells,
    now: () => clock.now(),
    bridges: () => clock.bridges(),
    tell: (id, limited) => limits.tell(id, limited, cut),
    poke: (id) => limits.poke({ id, from: bridgeId }),
    release() {
      for (const stop of listening) stop()
      clock.close()
    },
    log,
  })
  const listening = [
    limits.onPoke(({ id, from }) => void (from !== bridgeId && limiter.poked(id))),
    limits.onTold((id, limited) => limiter.setLimited(id, limited)),
  ]
  return limiter
}

/** Services of which this bridge can't keep in NATS what it reserves. */
export function awayServices(looks: readonly LimitLook[]): string[] {
  const away = looks.flatMap(({ key, isAway }) => (isAway && key.kind === 'service' ? [key.service] : []))
  return [...new Set(away)].slice(0, namedMax)
}

/** In a heartbeat, which is small. */
const namedMax = 50
