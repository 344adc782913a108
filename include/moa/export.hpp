// MOA_API marks what the shared library exports; everything else stays inside it.
#pragma once

#if defined(__GNUC__)
#define MOA_API __attribute__((visibility("default")))
#else
#define MOA_API
#endif
