-- Artifacts that the image repository serves as images. Rows stay: a vehicle in the middle of a cycle may still ask for
-- what was replaced.
create table published_images (
  path   text collate "C" not null,                       -- target path
  digest text collate "C" not null,                       -- SHA-256 or SHA-512, hexadecimal
  sha256 text collate "C" not null references artifacts,
  primary key (path, digest)
);

-- Images that an accepted delivery of a supplier lists and that are not here yet: only these may be uploaded for it.
create table expected_images (
  sha256 text collate "C" primary key,
  length bigint not null,                                 -- bytes
  path   text not null,                                   -- target path, as a name for people
  until  timestamptz not null                             -- when it is no longer expected
);
