/** Both repositories of a world over HTTP on loopback. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type TestWorld, VIN } from './test-vehicle.js';

export interface HttpWorld {
  readonly directorUrl: string;
  readonly imageUrl: string;
  /** Requested paths, with the repository. */
  readonly requests: string[];
  /** If it returns true, it has answered instead of the repository. */
  intercept: (path: string, request: IncomingMessage, response: ServerResponse) => boolean;
  close(): Promise<void>;
}

export async function serveWorld(world: TestWorld): Promise<HttpWorld> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    if (served.intercept(path, request, response)) return;
    const file = fileOf(world, path);
    if (file) response.end(file);
    else response.writeHead(404).end('not found');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const served: HttpWorld = {
    directorUrl: `${base}/director`,
    imageUrl: `${base}/image`,
    requests,
    intercept: () => false,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return served;
}

function fileOf({ director, image }: TestWorld, path: string): Buffer | undefined {
  const inDirector = path.split(`/director/${VIN}/`)[1];
  if (inDirector !== undefined) return director.files.get(inDirector);
  const inImage = path.split('/image/')[1];
  return inImage === undefined ? undefined : image.files.get(inImage);
}
