/** The dossier was changed after it was sealed; the message names the line. */
export class BadDossier extends Error {
  override readonly name = 'BadDossier';
}
