/* For LD_PRELOAD: the resolver never answers who has the name of a user. */
#include <pwd.h>
#include <unistd.h>

int getpwnam_r(const char *name, struct passwd *user, char *buffer, size_t size,
               struct passwd **result)
{
    for (;;)
        pause();
}
