/* my_sql_container: the private MySQL server on its port. */
#include "base/message.h"
#include "programs/containers.h"

int main(int argc, char **argv)
{
    rf_message_set_program("my_sql_container");
    return rf_containers_main("my_sql_container", "mysql", argc - 1, argv + 1);
}
