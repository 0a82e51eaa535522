import { createContext, useContext } from 'react'

/** What fields of a form need: what is there, what is wrong with it, and how it is changed; by the path of the field. */
export interface Fields {
  readonly valueAt: (field: string) => unknown
  /** Also of what is in it. */
  readonly faultAt: (field: string) => string | null
  /** Of the field itself, where what is in it has fields of its own. */
  readonly exactlyAt: (field: string) => string | null
  readonly set: (field: string, value: unknown) => void
  /** A text that couldn't be read as what the field takes. */
  readonly unreadAt: (field: string) => string | null
  readonly setUnread: (field: string, text: string | null) => void
}

const FieldsContext = createContext<Fields | null>(null)

export const FieldsProvider = FieldsContext.Provider

export function useFields(): Fields {
  const fields = useContext(FieldsContext)
  if (fields === null) throw new Error('a field stands in no form')
  return fields
}
