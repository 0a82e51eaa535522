import { newId } from '../../ids.ts'
import type { Connection } from '../connection.ts'

/**
 * Wrong tokens and logins, as controls tell each other of them, so that a limit on them holds over all. Over core NATS: nothing is
 * stored, and what is lost on the way makes the limit looser for a minute, never tighter.
 */
export interface Failures {
  /** Tells all other controls; never waits, never fails. With NATS away nobody is told. */
  tell(network: string): void
  /** Hears of those at other controls. */
  onTold(hear: (network: string) => void): void
}

/** Longer than any address. */
const networkMax = 64

export function openFailures(connection: Connection, namespace: string): Failures {
  // Core NATS: no stream may have this subject.
  const subject = `${namespace}_access.failed`
  const own = newId()
  return {
    tell(network) {
      if (connection.connected) connection.nc.publish(`${subject}.${own}`, network)
    },
    onTold(hear) {
      connection.nc.subscribe(`${subject}.*`, {
        callback: (error, message) => {
          const isOther = error === null && message.subject !== `${subject}.${own}`
          if (isOther && message.data.length <= networkMax) hear(message.string())
        },
      })
    },
  }
}
