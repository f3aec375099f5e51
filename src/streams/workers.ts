type Items<Item> = AsyncIterator<Item> | Iterator<Item>

/**
 * Takes items one after the other and works on up to `concurrency` of them at a time. After the first failure no further item is begun; when
 * all that had begun have ended, it is thrown.
 */
export async function workThrough<Item>(
  items: Items<Item>,
  { concurrency }: { concurrency: number },
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  const worker = async (): Promise<void> => {
    while (failure === undefined) {
      const next = await items.next()
      if (next.done || failure !== undefined) return
      await work(next.value)
    }
  }
  const workers = Array.from({ length: concurrency }, () =>
    worker().catch((error: unknown) => {
      failure ??= { error }
    }),
  )
  await Promise.all(workers)
  await items.return?.()
  if (failure !== undefined) throw (failure as { error: unknown }).error
}
