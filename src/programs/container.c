/* container: all private servers at once. */
#include "base/message.h"
#include "programs/containers.h"

#include <stddef.h>

int main(int argc, char **argv)
{
    rf_message_set_program("container");
    return rf_containers_main("container", NULL, argc - 1, argv + 1);
}
