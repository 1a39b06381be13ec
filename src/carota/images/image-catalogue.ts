/** What the Director needs to know of the image repository: which images there are. */
import { type DirectedImage } from '../../uptane/director-repository/files.js';

export type CataloguedImage = DirectedImage;

export interface ImageCatalogue {
  /** Changes whenever the answers to other questions may. */
  revision(): Promise<string>;
  /** The image at a target path, as the first role in the order of the delegations has it. */
  findByPath(path: string): Promise<CataloguedImage | undefined>;
  /** All images with this content: under several paths it may be for different hardware. */
  findBySha256(sha256: string): Promise<readonly CataloguedImage[]>;
}
