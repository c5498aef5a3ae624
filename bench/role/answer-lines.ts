// What role.ts starts: the process of a part, which answers its parent in lines of JSON and knows the CPU it has used.

/** User and system CPU of this process so far, ms. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

export function tell(line: unknown): void {
  console.log(JSON.stringify(line));
}

/** Calls `answer` for each line of JSON the parent writes and sends back what it returns or resolves with. */
export function answerLines(answer: (question: never) => unknown): void {
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', (text: string) => {
    for (const line of text.split('\n')) {
      if (line !== '') void Promise.resolve(answer(JSON.parse(line) as never)).then(tell);
    }
  });
}
