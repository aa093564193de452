/* my_cassandra_container: the private Cassandra server on its port. */
#include "base/message.h"
#include "programs/containers.h"

int main(int argc, char **argv)
{
    rf_message_set_program("my_cassandra_container");
    return rf_containers_main("my_cassandra_container", "cassandra", argc - 1, argv + 1);
}
