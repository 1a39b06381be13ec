/** The Director's view of the image repository: the available images. */
import { type DirectedImage } from '../../uptane/director-repository/files.js';

export type CataloguedImage = DirectedImage;

/** The images of one state of the repository. */
export interface Images {
  /** The image at a target path, from the first role in the order of delegations that lists it. */
  findByPath(path: string): CataloguedImage | undefined;
  /** All images with this content: under different paths it may be for different hardware. */
  findBySha256(sha256: string): readonly CataloguedImage[];
}

export interface ImageCatalogue {
  /** The current images. */
  images(): Promise<Images>;
}
