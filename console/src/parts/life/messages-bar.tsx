import type { Run } from '../../api/engine.ts'
import { grouped } from '../show/format.ts'
import classes from './messages-bar.module.css'

/** What became of the messages of a run, in the order in which it is shown. */
export const messageStates = [
  ['done', 'done'],
  ['failed', 'in Trash'],
  ['discarded', 'discarded'],
  ['cancelled', 'cancelled'],
  ['inProgress', 'in progress'],
] as const satisfies readonly (readonly [keyof Run['messages'], string])[]

interface MessagesBarProps {
  readonly messages: Run['messages']
  readonly height?: number
}

/** A share for each; the failed ones are seen however few they are. */
export function MessagesBar({ messages, height = 8 }: MessagesBarProps) {
  const shown = messageStates.filter(([name]) => messages[name] > 0)
  const said = shown.map(([name, text]) => `${grouped(messages[name])} ${text}`).join(', ')
  if (messages.total === 0) return null
  return (
    <div className={classes.bar} style={{ height }} role="img" aria-label={said} title={said}>
      {shown.map(([name]) => (
        <span key={name} className={classes[name]} style={{ flexGrow: messages[name] / messages.total }} />
      ))}
    </div>
  )
}

export function Swatch({ of }: { readonly of: keyof Run['messages'] }) {
  return <span className={`${classes.swatch} ${classes[of]}`} />
}
