/** Waits for a condition. @throws Error after 45 s, enough for a busy machine */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 45_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it never came so');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
