// @ts-check
// A receiver of the event call-back that can be killed; its log file has the events that it has accepted.
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
    // A receiver killed here has taken the batch, or a part of it, without saying so.
    for (const event of events) appendFileSync(log ?? '', `${JSON.stringify(event)}\n`);
    setTimeout(() => response.writeHead(204).end(), 5);
  });
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
