import { Anchor } from '@mantine/core'
import type { Node } from '../../../api/engine.ts'
import classes from './prefetch.module.css'

const words: Readonly<Record<Node['type'], string>> = {
  start: 'Start',
  cron: 'Cron',
  webhook: 'Webhook',
  connector: 'Connector',
  batch: 'Batch',
  custom: 'Custom',
}

interface NodeLabelProps {
  readonly node: Node
  readonly openSettings: () => void
}

/** The header of the node that is selected: `Connector: NAME | Prefetch: N Settings`; event nodes have no prefetch. */
export function NodeLabel({ node, openSettings }: NodeLabelProps) {
  return (
    <div className={classes.label} data-testid="node-label">
      <span>
        {words[node.type]}: <b>{node.name}</b>
      </span>
      {node.prefetch !== null && (
        <>
          <span className={classes.bar}> | </span>
          <span>Prefetch: {node.prefetch} </span>
          <Anchor component="button" type="button" size="sm" onClick={openSettings}>
            Settings
          </Anchor>
        </>
      )}
    </div>
  )
}
