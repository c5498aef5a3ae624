// (6) When a browser says that the network is back, or a page is looked at again, maybe after a sleep: timers stand
// still in a sleep, and a socket that died in it says nothing.

interface Page {
  addEventListener?(name: string, listener: () => void): void;
  removeEventListener?(name: string, listener: () => void): void;
  document?: Page & { visibilityState?: string };
}

/** Calls `wake` each time until the function that it returns is called. Where there is no browser nothing happens. */
export function followWakeUps(wake: () => void): () => void {
  const page = globalThis as Page;
  const { document } = page;
  const looked = (): void => {
    if (document?.visibilityState === 'visible') wake();
  };
  page.addEventListener?.('online', wake);
  document?.addEventListener?.('visibilitychange', looked);
  return () => {
    page.removeEventListener?.('online', wake);
    document?.removeEventListener?.('visibilitychange', looked);
  };
}
