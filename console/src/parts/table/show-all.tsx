import { Button } from '@mantine/core'

/** Where filters leave nothing. */
export function ShowAll({ clear }: { readonly clear: () => void }) {
  return (
    <Button variant="default" mt="sm" display="block" mx="auto" onClick={clear}>
      Show all
    </Button>
  )
}
