import { Button, Group, Loader, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, engine, statusOf } from '../../api/engine.ts'
import type { Run } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { MessageLife } from '../../parts/life/message-life.tsx'
import { Quiet } from '../../parts/life/quiet.tsx'
import { Problem } from '../../parts/problem.tsx'
import { counted, grouped } from '../../parts/show/format.ts'
import classes from './run.module.css'

interface PiecesProps {
  readonly run: Run
  readonly piece: number
  readonly go: (piece: number) => void
  readonly openMade: (of: string, page: number) => void
}

const shownAtOnce = 50

/** What was split as it came in began with pieces of up to a thousand records; the n-th record of a piece has that number in its id. */
export function Pieces({ run, piece, go, openMade }: PiecesProps) {
  const [shown, setShown] = useState(shownAtOnce)
  const id = `${run.id}.${piece}`
  const { data, error, refetch } = useQuery({
    queryKey: [...keys.run(run.id), 'piece', piece],
    queryFn: () => {
      const params = { path: { id: run.id, message: id } }
      return dataOf(engine.GET('/api/runs/{id}/messages/{message}/timeline', { params }))
    },
  })
  const made = data?.steps.at(-1)?.made ?? 0
  return (
    <Stack gap="xs">
      <Group gap={8}>
        <Text size="sm" role="status">
          Piece {piece + 1} of the body{data && `: ${counted(made, 'record')}`}
        </Text>
        <Button variant="default" size="compact-xs" disabled={piece === 0} onClick={() => go(piece - 1)}>
          Piece before
        </Button>
        <Button variant="default" size="compact-xs" disabled={error !== null} onClick={() => go(piece + 1)}>
          Next piece
        </Button>
      </Group>
      {error && !data && statusOf(error) === 404 && (
        <Quiet text={`there is no piece ${piece + 1}, or nothing of it is kept any more`} />
      )}
      {error && !data && statusOf(error) !== 404 && <Problem error={error} again={() => void refetch()} />}
      {!data && !error && <Loader size="xs" aria-label="Loading" />}
      {made > 0 && (
        <div className={classes.waterfall}>
          {Array.from({ length: Math.min(shown, made) }, (_, at) => (
            <PieceRecord key={at} run={run} id={`${id}.${at}`} openMade={openMade} />
          ))}
        </div>
      )}
      {made > shown && (
        <Button variant="default" onClick={() => setShown(shown + shownAtOnce)}>
          {grouped(made - shown)} more
        </Button>
      )}
    </Stack>
  )
}

function PieceRecord({ run, id, openMade }: Pick<PiecesProps, 'run' | 'openMade'> & { readonly id: string }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <button type="button" className={classes.row} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span>record {Number(id.split('.').at(-1)) + 1}</span>
        <span className={classes.id}>{id}</span>
      </button>
      {isOpen && (
        <div className={classes.life}>
          <MessageLife runId={run.id} messageId={id} openMade={openMade} />
        </div>
      )}
    </>
  )
}
