import { openLimiter } from '../../limiter/limiter.ts'
import type { Limiter } from '../../limiter/limiter.ts'
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
    poke: (id) => limits.poke(id),
    release() {
      stopListening()
      clock.close()
    },
    log,
  })
  const stopListening = limits.onPoke((id) => limiter.poked(id))
  return limiter
}
