// @ts-check
// A receiver of the event call-back that can be killed: what it has answered is in its log file.
// Usage: node receiver-process.mjs <port> <log file>
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [port, log] = process.argv.slice(2);

const server = createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => (text += chunk));
  request.on('end', () => {
    const { events } = /** @type {{ body: { events: object[] } }} */ (JSON.parse(text)).body;
    // A receiver that is killed in here has taken the batch and not said so, or only a part of it.
    for (const event of events) appendFileSync(log ?? '', `${JSON.stringify(event)}\n`);
    setTimeout(() => response.writeHead(204).end(), 5);
  });
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
