import {
  directorApi,
  imageRepositoryApi,
  type ImageRepositoryStatus,
} from '../../contract/carota-api/index.js';
import { ApiError } from '../api/client.js';
import { useApi } from '../api/use-query.js';
import { type Answer, Answered, together } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { DirectorRepository } from './director-repository.js';
import { ImageRepository } from './image-repository.js';

const TOPICS = ['repositories'];

/** Both repositories of Uptane. It only shows: signing happens where the keys are. */
export function RepositoriesPage() {
  const images = useApi(imageRepositoryApi.getImageRepository, {}, { topics: TOPICS });
  const director = useApi(directorApi.getDirectorRepository, {}, { topics: TOPICS });
  return (
    <Page title="Repositories">
      <p className="muted">
        A vehicle installs only images listed in both: the image repository lists the existing
        software, the Director repository orders it for one vehicle.
      </p>
      <Answered answer={together(unlessMissing(images), director)} lines={14}>
        {([imageStatus, directorStatus]) => (
          <div className="cards">
            <ImageRepository status={imageStatus ?? undefined} />
            <DirectorRepository status={directorStatus} />
          </div>
        )}
      </Answered>
    </Page>
  );
}

/** That no repository was established yet is an answer: `null`. */
function unlessMissing(
  answer: Answer<ImageRepositoryStatus>,
): Answer<ImageRepositoryStatus | null> {
  const { error } = answer;
  const isMissing = error instanceof ApiError && error.code === 'METADATA_NOT_FOUND';
  return isMissing ? { ...answer, data: null, error: null } : answer;
}
