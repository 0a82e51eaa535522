import { ActionIcon, Group, Menu } from '@mantine/core'
import { useState } from 'react'
import { useWhyNot } from '../../../api/session.ts'
import { ActButton } from '../../../parts/act-button.tsx'
import { Icon } from '../../../parts/icons.tsx'
import { Problem } from '../../../parts/problem.tsx'
import { told } from '../../../parts/toast.ts'
import { DiscardDialog } from './discard.tsx'
import { ElsewhereDialog } from './elsewhere.tsx'
import classes from './message.module.css'
import { isMismatch, useReplay } from './message.ts'
import type { Known } from './message.ts'
import { Mismatch } from './mismatch.tsx'

import { useSettling } from './settling.ts'

interface ActsProps {
  readonly known: Known
  readonly isEditing: boolean
  readonly edit: () => void
}

/** What can be done with an open message. Of one that is settled there is nothing to do. */
export function Acts({ known: { item }, isEditing, edit }: ActsProps) {
  const [dialog, setDialog] = useState<'discard' | 'elsewhere' | null>(null)
  const replay = useReplay(item.id)
  const settling = useSettling(item.id)
  const noPayload = useWhyNot('payload')
  const mayNot = useWhyNot('operate')
  if (item.state !== 'open' || isEditing) return null
  const whyNot = settling === null ? null : `It is ${settling} already`
  const send = (acceptWarnings: boolean): void =>
    replay.mutate(acceptWarnings ? { acceptWarnings } : {}, {
      onSuccess: () => told('The message is on its way again'),
    })
  const version = item.versions.length
  return (
    <>
      <Group gap={6} className={classes.acts}>
        <ActButton needs="operate" whyNot={whyNot} loading={replay.isPending} onClick={() => send(false)}>
          {version > 0 ? `Replay version ${version}` : 'Replay as it is'}
        </ActButton>
        <ActButton needs="operate" whyNot={noPayload ?? whyNot} variant="default" onClick={edit}>
          Edit
        </ActButton>
        <ActButton needs="operate" whyNot={whyNot} variant="default" color="red" onClick={() => setDialog('discard')}>
          Discard…
        </ActButton>
        {mayNot === null && settling === null && (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon aria-label="More to do with this message">
                <Icon name="more" />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => setDialog('elsewhere')}>Replay at another node…</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </Group>
      {isMismatch(replay.error) ? (
        <Mismatch error={replay.error} anyway={() => send(true)} edit={edit} isBusy={replay.isPending} />
      ) : (
        replay.error && <Problem error={replay.error} />
      )}
      {dialog === 'discard' && <DiscardDialog item={item} close={() => setDialog(null)} />}
      {dialog === 'elsewhere' && <ElsewhereDialog item={item} close={() => setDialog(null)} />}
    </>
  )
}
