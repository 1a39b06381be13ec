/** `otaops repository deliver`: a supplier's signed metadata and its images to a CarOTA Server. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command } from 'commander';
import { type DeliveryOutcome, imageRepositoryApi } from '../../../contract/carota-api/index.js';
import { type Client } from '../../../contract/index.js';
import { print, printJson } from '../../output.js';
import { collect } from '../../signers.js';
import { clientOf, type CommonFlags, serverCommand } from '../../server-command.js';
import { uploadOf } from '../../upload-progress.js';
import { UsageError } from '../../usage-error.js';
import { repositoryIn } from './folder.js';

interface DeliverFlags extends CommonFlags {
  readonly role?: string[];
}

export function deliverCommand(repository: Command): void {
  serverCommand(repository, {
    usage: 'deliver <folder>',
    description:
      'deliver proposed, signed metadata of delegated roles and its images to a CarOTA Server',
    examples: [
      'otaops repository deliver copy --url https://ota.example --token otaops_…   (a token of role supplier)',
    ],
  })
    .option('--role <role>', 'roles to deliver; default: all proposed delegated roles', collect)
    .action(async (folder: string, flags: DeliverFlags) => {
      const roles = await proposedRoles(folder, flags.role);
      const client = await clientOf(flags);
      const outcome = await deliver(client, folder, roles);
      if (flags.json) printJson(outcome);
      else
        for (const { role, version } of outcome.roles)
          print(`Published ${role} version ${version}`);
    });
}

type Roles = Awaited<ReturnType<typeof proposedRoles>>;

async function proposedRoles(folder: string, wanted: readonly string[] | undefined) {
  const proposed = await (await repositoryIn(folder)).deliverable();
  const roles = wanted ?? [...proposed.keys()];
  if (roles.length === 0) throw new UsageError(`no delegated role is proposed in ${folder}`);
  const files = roles.map((role) => {
    const file = proposed.get(role);
    if (file) return [role, file] as const;
    throw new UsageError(`nothing is proposed for ${role} in ${folder}`);
  });
  return Object.fromEntries(files);
}

async function deliver(client: Client, folder: string, roles: Roles): Promise<DeliveryOutcome> {
  const body = { roles } as never;
  const first = await client.call(imageRepositoryApi.deliver, { body });
  if (first.state === 'published') return first;
  const { proposedImage } = await import('../../../uptane/repository/index.js');
  const sent = new Set<string>();
  for (const { path, sha256 } of first.missing) {
    if (sent.has(sha256)) continue;
    sent.add(sha256);
    const file = join(folder, proposedImage(sha256));
    if (!existsSync(file)) {
      throw new UsageError(
        `${path} is listed, but its image is not in ${folder}: otaops repository propose ${folder} --image FILE`,
      );
    }
    const upload = await uploadOf(file, process.stderr);
    const content = { type: 'application/octet-stream', body: upload.body };
    await client
      .call(imageRepositoryApi.uploadDeliveredImage, { params: { sha256 }, content })
      .finally(() => upload.done());
  }
  return client.call(imageRepositoryApi.deliver, { body });
}
