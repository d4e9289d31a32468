/** Does work on each item, so many `atOnce` at the most; the results in the items' order. Throws what the work throws; no other is begun then. */
export async function inTurns<In, Out>(
  items: readonly In[],
  atOnce: number,
  work: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = []
  let next = 0
  const worker = async () => {
    try {
      for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at] as In)
    } catch (error) {
      next = items.length
      throw error
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
  return results
}
