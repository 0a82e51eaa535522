import { Redirect, useParams } from 'wouter'

/** A message by its id alone is shown beside the list of all. */
export default function TrashMessagePage() {
  const { message = '' } = useParams()
  return <Redirect to={`/trash?message=${encodeURIComponent(message)}&state=all`} replace />
}
