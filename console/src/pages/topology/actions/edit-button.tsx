import { useLocation } from 'wouter'
import type { Topology } from '../../../api/engine.ts'
import { ActButton } from '../../../parts/act-button.tsx'

interface EditButtonProps {
  readonly topology: Pick<Topology, 'name'>
  /** It stands where there is nothing else to do. */
  readonly isFirst?: boolean
}

/** Opens the draft in the editor. */
export function EditButton({ topology: { name }, isFirst = false }: EditButtonProps) {
  const [, navigate] = useLocation()
  return (
    <ActButton
      needs="design"
      variant={isFirst ? 'filled' : 'default'}
      mt={isFirst ? 'sm' : 0}
      onClick={() => navigate(`/topologies/${name}/edit`)}
    >
      {isFirst ? 'Open the editor' : 'Edit'}
    </ActButton>
  )
}
