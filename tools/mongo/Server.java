import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.Arrays;

/**
 * A server of the MongoDB protocol on a port of 127.0.0.1, with its data in memory; for
 * tools/servers.
 *
 * <p>{@code Server PORT [--version MONGO_5_0] [--oplog] [--bind ADDRESS]}. The log of changes is off
 * unless asked for: it keeps every document that was ever written, in the same small heap.
 */
public final class Server {
    private Server() {}

    public static void main(String[] args) {
        ServerVersion version = ServerVersion.MONGO_5_0;
        boolean oplog = false;
        String address = "127.0.0.1";
        int port = 0;
        try {
            port = Integer.parseInt(args[0]);
            for (int i = 1; i < args.length; i++) {
                if (args[i].equals("--oplog")) {
                    oplog = true;
                } else if (args[i].equals("--bind") && i + 1 < args.length) {
                    address = args[++i];
                } else if (args[i].equals("--version") && i + 1 < args.length) {
                    version = versionOf(args[++i]);
                } else {
                    refuse(
                            "unknown option '"
                                    + args[i]
                                    + "': --version NAME, --bind ADDRESS or --oplog");
                }
            }
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            refuse("the first argument is the port");
        }
        serve(address, port, version, oplog);
    }

    private static void serve(String address, int port, ServerVersion version, boolean oplog) {
        MemoryBackend backend = new MemoryBackend();
        backend.version(version);
        MongoServer server = new MongoServer(backend);
        if (oplog) {
            server.enableOplog();
        }
        try {
            // Its threads go on after main.
            server.bind(address, port);
        } catch (Exception e) {
            refuse("cannot listen on " + address + ":" + port + ": " + e.getMessage());
        }
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        System.out.println("listening on " + address + ":" + port + " as " + version);
    }

    private static ServerVersion versionOf(String name) {
        for (ServerVersion version : ServerVersion.values()) {
            if (version.name().equals(name)) {
                return version;
            }
        }
        refuse("unknown version '" + name + "': " + Arrays.toString(ServerVersion.values()));
        return null;
    }

    private static void refuse(String why) {
        System.err.println(why);
        System.exit(1);
    }
}
