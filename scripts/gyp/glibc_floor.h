// Included ahead of every source of a prebuilt binary (scripts/prebuild.js), so that one linked on a current
// system loads on glibc 2.28. These are the only functions in reach whose default version is younger: the
// pthread ones moved into libc.so.6 in 2.32 and 2.34 and the double-precision ones lost their error wrappers in 2.29.
// Every later glibc still has the old names (https://sourceware.org/glibc/wiki/libpthread-in-libc).
#include <features.h>  // __GLIBC__; musl has the file too

#if defined(__GLIBC__)
#if defined(__aarch64__)
#define GRAVITON_OLDEST(name) __asm__(".symver " #name "," #name "@GLIBC_2.17");
#elif defined(__x86_64__)
#define GRAVITON_OLDEST(name) __asm__(".symver " #name "," #name "@GLIBC_2.2.5");
#endif
GRAVITON_OLDEST(pthread_attr_setstacksize)
GRAVITON_OLDEST(pthread_create)
GRAVITON_OLDEST(pthread_detach)
GRAVITON_OLDEST(pthread_join)
GRAVITON_OLDEST(pthread_mutex_trylock)
GRAVITON_OLDEST(pthread_sigmask)
GRAVITON_OLDEST(exp)
GRAVITON_OLDEST(exp2)
GRAVITON_OLDEST(log)
GRAVITON_OLDEST(log2)
GRAVITON_OLDEST(pow)
#undef GRAVITON_OLDEST
#endif
