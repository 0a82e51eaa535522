import { newId } from '../../ids.ts'
import type { Connection } from '../connection.ts'

/** What controls tell each other, in one word each. Over core NATS: nothing is stored, and who has no connection hears nothing. */
export interface Telling {
  /** Tells all other controls; never waits, never fails. With NATS away nobody is told. */
  tell(word: string): void
  /** Hears what other controls tell. */
  onTold(hear: (word: string) => void): void
  /** Called when the connection is back: what was told meanwhile was missed. */
  onMissed(hear: () => void): void
}

/** Longer than any address or id. */
const wordMax = 64

/** Wrong tokens and logins, by network, so that a limit on them holds over all. What is lost makes it looser for a minute, never tighter. */
export const openFailures = (connection: Connection, namespace: string): Telling =>
  openTelling(connection, `${namespace}_access.failed`)

/** Ids of webhook nodes whose address or secrets were changed, so that nobody goes by what he knew of them. */
export const openHookChanges = (connection: Connection, namespace: string): Telling =>
  openTelling(connection, `${namespace}_hooks.changed`)

/** No stream may have this subject. */
function openTelling(connection: Connection, subject: string): Telling {
  const own = newId()
  return {
    tell(word) {
      if (connection.connected) connection.nc.publish(`${subject}.${own}`, word)
    },
    onTold(hear) {
      connection.nc.subscribe(`${subject}.*`, {
        callback: (error, message) => {
          const isOther = error === null && message.subject !== `${subject}.${own}`
          if (isOther && message.data.length <= wordMax) hear(message.string())
        },
      })
    },
    onMissed(hear) {
      connection.onChange((connected) => {
        if (connected) hear()
      })
    },
  }
}
