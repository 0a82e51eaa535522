import { Text, UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { counted } from '../../../parts/show/format.ts'
import { Sign } from '../../../parts/show/sign.tsx'
import { shownOf } from '../../../api/problem.ts'
import type { Graph } from '../state/graph.ts'
import { placeText } from './faults.ts'
import type { Placed } from './faults.ts'
import type { Checked } from './use-faults.ts'
import classes from './strip.module.css'

interface StripProps {
  readonly checked: Checked
  readonly graph: Graph
  readonly lead: (to: Placed) => void
}

/** Whether it could be published as it is drawn; else all that is in the way, each with the way to its field. */
export function FaultStrip({ checked, graph, lead }: StripProps) {
  const { faults, isOld, error } = checked
  const [isOpen, { toggle }] = useDisclosure(false)
  const hard = faults.filter(({ isHint }) => isHint !== true).length
  if (error !== null)
    return (
      <div className={classes.strip} role="status">
        <Sign tone="warn">Not checked: {shownOf(error).detail}</Sign>
      </div>
    )
  const [first] = faults
  if (first === undefined)
    return (
      <div className={classes.strip} role="status">
        <Sign tone={isOld ? 'quiet' : 'good'}>{isOld ? 'Checking…' : 'Ready to publish'}</Sign>
      </div>
    )
  return (
    <div className={classes.strip}>
      <UnstyledButton className={classes.head} onClick={toggle} aria-expanded={isOpen}>
        <span role="status">
          <Sign tone={hard > 0 ? 'bad' : 'warn'}>
            {hard > 0
              ? `${counted(hard, 'fault')} to mend before it can be published`
              : `${counted(faults.length, 'setting')} that a worker would refuse`}
          </Sign>
        </span>
        <Text span size="xs" c="dimmed" className={classes.more}>
          {isOpen ? 'Hide' : 'Show all'}
        </Text>
      </UnstyledButton>
      {isOpen ? (
        <ul className={classes.list} aria-label="What is to be mended">
          {faults.map((fault) => (
            <li key={`${fault.key ?? ''} ${fault.field} ${fault.message}`}>
              <Line fault={fault} graph={graph} lead={lead} />
            </li>
          ))}
        </ul>
      ) : (
        <Line fault={first} graph={graph} lead={lead} />
      )}
    </div>
  )
}

interface LineProps {
  readonly fault: Placed
  readonly graph: Graph
  readonly lead: (to: Placed) => void
}

function Line({ fault, graph, lead }: LineProps) {
  return (
    <UnstyledButton className={classes.fault} data-hint={fault.isHint} onClick={() => lead(fault)}>
      <b>{placeText(fault, graph)}</b> {fault.message}
    </UnstyledButton>
  )
}
