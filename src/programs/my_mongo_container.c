/* my_mongo_container: the private MongoDB server on its port. */
#include "base/message.h"
#include "programs/containers.h"

int main(int argc, char **argv)
{
    rf_message_set_program("my_mongo_container");
    return rf_containers_main("my_mongo_container", "mongo", argc - 1, argv + 1);
}
