/** It is not the dossier that was sealed; the message names the line. */
export class BadDossier extends Error {
  override readonly name = 'BadDossier';
}
