/** Credentials that are being looked up at this moment, by the network that they came from. */
export interface Lines {
  /** Of a network, how many different ones. */
  count(network: string): number
  has(network: string, credential: string): boolean
  /** Resolves when one of the network's is done, or the signal aborts. Only while there is one. */
  shorter(network: string, signal: AbortSignal): Promise<void>
  /** The same credential may enter several times, and leaves as often. */
  enter(network: string, credential: string): void
  leave(network: string, credential: string): void
}

interface Line {
  /** How often each credential is asked for. */
  readonly asked: Map<string, number>
  readonly waiting: Set<() => void>
}

export function openLines(): Lines {
  const lines = new Map<string, Line>()
  const change = ({ asked }: Line, credential: string, by: number): void => {
    const times = (asked.get(credential) ?? 0) + by
    if (times === 0) asked.delete(credential)
    else asked.set(credential, times)
  }
  return {
    count: (network) => lines.get(network)?.asked.size ?? 0,
    has: (network, credential) => lines.get(network)?.asked.has(credential) ?? false,
    shorter: (network, signal) =>
      new Promise((resolve) => {
        const { waiting } = lines.get(network) ?? {}
        const go = (): void => {
          signal.removeEventListener('abort', go)
          waiting?.delete(go)
          resolve()
        }
        signal.addEventListener('abort', go)
        waiting?.add(go)
      }),
    enter(network, credential) {
      const line = lines.get(network) ?? { asked: new Map<string, number>(), waiting: new Set<() => void>() }
      lines.set(network, line)
      change(line, credential, 1)
    },
    leave(network, credential) {
      const line = lines.get(network)
      if (!line) return
      change(line, credential, -1)
      if (line.asked.size === 0) lines.delete(network)
      for (const go of [...line.waiting]) go()
    },
  }
}
