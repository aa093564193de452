/* my_redis_container: the private Redis server on its port. */
#include "base/message.h"
#include "programs/containers.h"

int main(int argc, char **argv)
{
    rf_message_set_program("my_redis_container");
    return rf_containers_main("my_redis_container", "redis", argc - 1, argv + 1);
}
