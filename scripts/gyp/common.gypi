# Stands in for the common.gypi of Node's header archive: this folder is what node-gyp is given as --nodedir, so that
# nothing is downloaded and no flag of whoever built Node (-flto, for instance) reaches the addon. The headers
# come from the npm package node-api-headers; all that the addon itself needs is in binding.gyp.
{
  'target_defaults': {
    'default_configuration': 'Release',
    'configurations': {'Release': {}},
    'conditions': [
      ['OS=="linux"', {'cflags': ['-pthread'], 'ldflags': ['-pthread']}],
    ],
  },
}
